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
        Layout.topMargin: 80
        visible: MySpaceModel.loading
        spacing: 30

        Label {
            Layout.fillWidth: true
            horizontalAlignment: Text.AlignHCenter
            text: qsTr("正在查询，请稍等")
            font.pixelSize: Theme.lead
        }

        Busy {
            Layout.alignment: Qt.AlignHCenter
        }
    }

    Label {
        Layout.fillWidth: true
        Layout.topMargin: 80
        visible: !MySpaceModel.loading && MySpaceModel.count === 0 && !MySpaceModel.notice.present
        horizontalAlignment: Text.AlignHCenter
        text: page.cases ? qsTr("您还没有办过的事") : qsTr("没有查到您的电子证照")
        font.pixelSize: Theme.lead
        color: Theme.inkSoft
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
}
