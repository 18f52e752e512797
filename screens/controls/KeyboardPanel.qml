pragma ComponentBehavior: Bound
import QtQuick
import QtQuick.Layouts
import CitizensWindow
import "../theme"

// The keys: pinyin or English letters, digits and signs, or a number pad.
Rectangle {
    id: panel

    readonly property bool pad: Keyboard.page === "digits" || Keyboard.page === "date"
    readonly property real gap: 12

    readonly property color composing: Theme.accent

    onComposingChanged: Keyboard.colour(composing)
    Component.onCompleted: Keyboard.colour(composing)
    color: Theme.keys
    Accessible.role: Accessible.Pane
    Accessible.name: qsTr("键盘")

    Rectangle {
        width: parent.width
        height: 2
        color: Theme.line
    }

    // nothing behind the keys may be touched through the gaps
    MouseArea {
        anchors.fill: parent
        Accessible.ignored: true
    }

    ColumnLayout {
        anchors.fill: parent
        anchors.margins: 16
        anchors.leftMargin: Theme.portrait ? 24 : 20
        anchors.rightMargin: Theme.portrait ? 24 : 20
        spacing: panel.gap

        RowLayout {
            Layout.fillWidth: true
            Layout.preferredHeight: 80
            Layout.maximumHeight: 80
            spacing: 14

            PushButton {
                visible: !panel.pad
                Layout.preferredHeight: 80
                Layout.preferredWidth: 190
                look: Keyboard.page === "letters" ? "primary" : "outline"
                symbol: "keyboard"
                size: 32
                text: Keyboard.chinese ? qsTr("拼音") : qsTr("英文")
                onClicked: Keyboard.show("letters")
            }

            PushButton {
                visible: !panel.pad
                Layout.preferredHeight: 80
                Layout.preferredWidth: 190
                look: Keyboard.page === "symbols" ? "primary" : "outline"
                size: 32
                text: qsTr("123符号")
                onClicked: Keyboard.show("symbols")
            }

            Item {
                Layout.fillWidth: true
            }

            PushButton {
                Layout.preferredHeight: 80
                Layout.preferredWidth: 200
                look: "quiet"
                symbol: "keyboard-hide"
                size: 30
                text: qsTr("收起")
                onClicked: Keyboard.confirmed()
            }
        }

        CandidateBar {
            visible: !panel.pad && Keyboard.page === "letters" && Keyboard.chinese
            Layout.fillWidth: true
            Layout.preferredHeight: 96
            Layout.maximumHeight: 96
        }

        CandidateGrid {
            visible: Keyboard.expanded
            Layout.fillWidth: true
            Layout.fillHeight: true
        }

        LetterKeys {
            visible: Keyboard.page === "letters" && !Keyboard.expanded
            Layout.fillWidth: true
            Layout.fillHeight: true
            gap: panel.gap
        }

        SignKeys {
            visible: Keyboard.page === "symbols"
            Layout.fillWidth: true
            Layout.fillHeight: true
            gap: panel.gap
        }

        NumberKeys {
            visible: panel.pad
            Layout.fillHeight: true
            Layout.preferredWidth: Math.min(panel.width - 48, 760)
            Layout.alignment: Qt.AlignHCenter
            gap: panel.gap
        }
    }
}
