pragma ComponentBehavior: Bound
import QtQuick
import QtQuick.Layouts
import CitizensWindow
import "../controls"
import "../theme"

PageFrame {
    id: page

    readonly property bool cases: MySpaceModel.tab === "applications"

    title: qsTr("%1的空间").arg(MySpaceModel.personName)
    notice: MySpaceModel.notice
    showHome: true

    RowLayout {
        Layout.fillWidth: true
        spacing: 20
        uniformCellSizes: true

        PushButton {
            Layout.fillWidth: true
            look: page.cases ? "primary" : "outline"
            symbol: "progress-check"
            text: qsTr("我的办件")
            Accessible.role: Accessible.PageTab
            Accessible.selected: page.cases
            onClicked: MySpaceModel.open("applications")
        }

        PushButton {
            Layout.fillWidth: true
            look: page.cases ? "outline" : "primary"
            symbol: "license"
            text: qsTr("我的证照")
            Accessible.role: Accessible.PageTab
            Accessible.selected: !page.cases
            onClicked: MySpaceModel.open("licences")
        }
    }

    ColumnLayout {
        Layout.fillWidth: true
        Layout.topMargin: Theme.portrait ? 260 : 60
        visible: MySpaceModel.loading
        spacing: 40

        Label {
            Layout.fillWidth: true
            horizontalAlignment: Text.AlignHCenter
            text: qsTr("正在查询，请稍等")
            font.pixelSize: Theme.tile
            strong: true
        }

        Busy {
            Layout.alignment: Qt.AlignHCenter
        }
    }

    ColumnLayout {
        Layout.fillWidth: true
        Layout.topMargin: Theme.portrait ? 140 : 30
        Layout.bottomMargin: Theme.portrait ? 100 : 20
        visible: !MySpaceModel.loading && MySpaceModel.count === 0 && !MySpaceModel.notice.present
        spacing: 30

        Symbol {
            Layout.alignment: Qt.AlignHCenter
            size: Theme.portrait ? 180 : 110
            name: page.cases ? "clipboard-text" : "license"
            tone: Theme.accent
        }

        Label {
            Layout.fillWidth: true
            horizontalAlignment: Text.AlignHCenter
            text: page.cases ? qsTr("您还没有办过的事") : qsTr("没有查到您的电子证照")
            font.pixelSize: Theme.tile
            strong: true
        }
    }

    PushButton {
        Layout.alignment: Qt.AlignHCenter
        Layout.topMargin: 40
        Layout.preferredWidth: 420
        visible: !MySpaceModel.loading && MySpaceModel.notice.code === "hall_unreachable"
        symbol: "refresh"
        text: qsTr("再试一次")
        onClicked: MySpaceModel.open(MySpaceModel.tab)
    }

    Repeater {
        model: MySpaceModel.rows

        MatterCard {}
    }

    Tip {
        visible: !MySpaceModel.loading && !MySpaceModel.notice.present && MySpaceModel.count < 3
        symbol: page.cases ? "progress-check" : "printer"
        text: page.cases ? qsTr("在任何一台市民之窗放上身份证，都能看到办到了哪一步。办好的证照，当场打印。") : qsTr("这里打印的证照带电子印章，扫码就能验真。")
    }
}
