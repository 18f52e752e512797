import QtQuick
import QtQuick.Layouts
import CitizensWindow
import "../theme"

// One paper: held already, captured, or still wanted.
Card {
    id: card

    required property string material
    required property string title
    required property string hint
    required property string status
    required property string licence
    required property string licenceWords
    required property bool canCapture
    readonly property real small: Theme.portrait && !Display.large ? 30 : Theme.caption
    readonly property bool there: status !== "needed"

    Layout.fillWidth: true
    implicitHeight: grid.implicitHeight + (Theme.portrait ? 64 : 56)
    border.color: there ? Theme.ok : Theme.line

    GridLayout {
        id: grid
        anchors.left: parent.left
        anchors.right: parent.right
        anchors.margins: 32
        anchors.verticalCenter: parent.verticalCenter
        columns: Theme.portrait && card.status === "needed" ? 1 : 2
        columnSpacing: Theme.gutter
        rowSpacing: 20

        RowLayout {
            Layout.fillWidth: true
            spacing: 24

            Symbol {
                Layout.alignment: Qt.AlignTop
                size: 72
                name: card.there ? "circle-check" : "file-description"
                tone: card.there ? Theme.ok : Theme.accent
            }

            ColumnLayout {
                Layout.fillWidth: true
                spacing: 6

                Label {
                    Layout.fillWidth: true
                    text: card.title
                    font.pixelSize: Theme.portrait && !Display.large ? 42 : Theme.lead
                    strong: true
                }

                Label {
                    Layout.fillWidth: true
                    visible: text !== ""
                    text: card.status === "needed" ? card.hint : ""
                    font.pixelSize: card.small
                    color: Theme.inkSoft
                }

                Label {
                    Layout.fillWidth: true
                    visible: card.there
                    text: card.status === "reused" ? qsTr("已有，不用再交") : card.status === "from_card" ? qsTr("已从身份证读取，不用再交") : qsTr("已拍好")
                    color: Theme.ok
                    font.pixelSize: Theme.roomy
                    font.weight: Font.Medium
                }

                Label {
                    Layout.fillWidth: true
                    visible: card.licence !== "" && card.status !== "captured"
                    text: card.status === "needed" ? qsTr("您已有：%1").arg(card.licenceWords) : card.licenceWords
                    font.pixelSize: card.small
                    color: Theme.inkSoft
                }
            }
        }

        RowLayout {
            Layout.fillWidth: Theme.portrait && card.status === "needed"
            spacing: 20
            visible: card.status !== "from_card"

            PushButton {
                visible: card.status === "needed" && card.licence !== ""
                Layout.fillWidth: Theme.portrait
                look: "primary"
                symbol: "license"
                text: qsTr("用已有的")
                Accessible.description: card.title
                onClicked: MaterialsModel.reuse(card.material, card.licence)
            }

            PushButton {
                visible: card.status === "needed" && card.canCapture
                Layout.fillWidth: Theme.portrait
                look: card.licence === "" ? "primary" : "outline"
                symbol: "camera"
                text: qsTr("拍摄")
                Accessible.description: card.title
                onClicked: MaterialsModel.capture(card.material)
            }

            PushButton {
                visible: card.status === "captured"
                Layout.fillWidth: Theme.portrait
                symbol: "rotate"
                text: qsTr("重新拍摄")
                Accessible.description: card.title
                onClicked: MaterialsModel.capture(card.material)
            }

            PushButton {
                visible: card.status === "reused"
                Layout.fillWidth: Theme.portrait
                symbol: "replace"
                text: qsTr("用别的")
                Accessible.description: card.title
                onClicked: MaterialsModel.drop(card.material)
            }
        }
    }
}
